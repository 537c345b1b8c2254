/** Look of the page that {@link renderFlameGraph} writes. */
export const FLAME_GRAPH_STYLE = `
:root { color-scheme: light dark; font: 14px system-ui, sans-serif }
body { margin: 0; padding: 12px }
header { display: flex; gap: 12px; align-items: center; flex-wrap: wrap }
h1 { font-size: 16px; margin: 0; flex: 1 }
#details { min-height: 1.6em; line-height: 1.6 }
#graph { position: relative; font: 12px ui-monospace, monospace }
#graph button { position: absolute; height: 18px; box-sizing: border-box; padding: 0 3px; border: 0;
  border-right: 1px solid Canvas; border-bottom: 1px solid Canvas; overflow: hidden; white-space: nowrap;
  text-align: left; font: inherit; color: #111; cursor: pointer }
#graph button:hover, #graph button:focus-visible { outline: 2px solid Highlight; z-index: 1 }
#graph button.found { background: #7c4dff !important; color: #fff }
`

/** Behaviour of the page. Nodes come as [text, self, children]; what is too narrow to see is not drawn. */
export const FLAME_GRAPH_SCRIPT = `
'use strict'
const { unit, root } = JSON.parse(document.getElementById('data').textContent)
const graph = document.getElementById('graph')
const details = document.getElementById('details')
const find = document.getElementById('find')
const ROW = 18

function prepare([text, self, children], parent) {
  const node = { text, self, parent, total: self }
  node.children = children.map((child) => prepare(child, node)).sort((a, b) => b.total - a.total)
  for (const child of node.children) node.total += child.total
  return node
}

function amount(value) {
  if (unit === 'bytes') return value >= 1048576 ? (value / 1048576).toFixed(1) + ' MB' : (value / 1024).toFixed(1) + ' KB'
  return value >= 1e6 ? (value / 1e6).toFixed(2) + ' s' : (value / 1e3).toFixed(1) + ' ms'
}

function share(value) {
  return (100 * value / (whole.total || 1)).toFixed(1) + ' %'
}

function color(text) {
  let hash = 0
  for (const character of text.split(' ').pop()) hash = (hash * 31 + character.charCodeAt(0)) | 0
  return 'hsl(' + (15 + Math.abs(hash) % 40) + ' 85% ' + (62 + Math.abs(hash >> 8) % 14) + '%)'
}

function tell(node) {
  details.textContent = node.text + ' — ' + amount(node.total) + ' (' + share(node.total) + '), itself ' +
    amount(node.self) + ' (' + share(node.self) + ')'
}

function show(focus) {
  graph.textContent = ''
  const wanted = find.value.trim().toLowerCase()
  const width = graph.clientWidth || 1000
  let deepest = 0
  const draw = (node, left, right, depth) => {
    if (right - left < 1.5) return
    deepest = Math.max(deepest, depth)
    const bar = document.createElement('button')
    bar.type = 'button'
    bar.textContent = node.text
    bar.title = node.text + ' ' + amount(node.total) + ' ' + share(node.total)
    bar.dataset.total = node.total
    bar.style.cssText = 'left:' + left + 'px;width:' + (right - left) + 'px;top:' + depth * ROW + 'px'
    bar.style.background = color(node.text)
    if (wanted && node.text.toLowerCase().includes(wanted)) bar.className = 'found'
    bar.addEventListener('mouseenter', () => tell(node))
    bar.addEventListener('focus', () => tell(node))
    bar.addEventListener('click', () => show(node))
    graph.append(bar)
    let x = left
    for (const child of node.children) {
      const end = x + (right - left) * child.total / node.total
      draw(child, x, end, depth + 1)
      x = end
    }
  }
  const callers = []
  for (let node = focus.parent; node; node = node.parent) callers.unshift(node)
  callers.forEach((caller, depth) => draw({ ...caller, children: [] }, 0, width, depth))
  draw(focus, 0, width, callers.length)
  // What was zoomed into keeps its callers clickable, to zoom out step by step.
  callers.forEach((caller, depth) => graph.children[depth].addEventListener('click', () => show(caller)))
  graph.style.height = (deepest + 1) * ROW + 'px'
  shown = focus
  tell(focus)
}

const whole = prepare(root, null)
let shown = whole
document.getElementById('reset').addEventListener('click', () => show(whole))
find.addEventListener('input', () => show(shown))
addEventListener('resize', () => show(shown))
show(whole)
`
