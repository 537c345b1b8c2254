import { XMLBuilder, XMLParser, XMLValidator } from 'fast-xml-parser'
export default () => {
  const x = new XMLParser({ ignoreAttributes: false }).parse(
    '<a b="1"><c>ü</c><c>2</c><d><![CDATA[<x>]]></d></a>',
  )
  return [
    x,
    new XMLBuilder({ ignoreAttributes: false, format: true }).build(x),
    XMLValidator.validate('<a><b></a>'),
  ]
}
