import Papa from 'papaparse'
export default () => [
  Papa.parse('a,b\n1,"x,y"\n2,', { header: true, dynamicTyping: true }),
  Papa.unparse([{ a: 1, b: 'x,"y' }]),
]
