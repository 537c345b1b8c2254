import { type CallNode, describeFrame } from './call-tree.js'
import { FLAME_GRAPH_SCRIPT, FLAME_GRAPH_STYLE } from './flame-graph-page.js'

/** What a flame graph shows. */
export interface FlameGraphOptions {
  title: string
  /** How the numbers are shown. */
  unit: 'µs' | 'bytes'
}

/** A node as the page gets it: text, own cost, callees. */
type CompactNode = [text: string, self: number, children: CompactNode[]]

/** Draws a call tree as a page in one HTML file, which needs nothing else: click to zoom, type to find. */
export function renderFlameGraph(root: CallNode, { title, unit }: FlameGraphOptions): string {
  const data = JSON.stringify({ unit, root: compact(root) })
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${FLAME_GRAPH_STYLE}</style>
</head>
<body>
<header>
<h1>${escapeHtml(title)}</h1>
<input id="find" type="search" placeholder="Find a function" aria-label="Find a function">
<button id="reset" type="button">Whole graph</button>
</header>
<div id="details" role="status"></div>
<main id="graph"></main>
<script type="application/json" id="data">${data.replaceAll('<', '\\u003c')}</script>
<script>${FLAME_GRAPH_SCRIPT}</script>
</body>
</html>
`
}

function compact(node: CallNode): CompactNode {
  return [describeFrame(node.frame), Math.round(node.self), node.children.map(compact)]
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return text.replace(/[&<>"]/g, (character) => entities[character]!)
}
