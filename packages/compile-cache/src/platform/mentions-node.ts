/**
 * A word that may be an import, or a global of Node. What is found although the code does not mean it costs one build by
 * esbuild; what is not found would be a `ReferenceError`.
 */
const MENTION =
  /(?<![\w$.])(?:import|require|Buffer|process|global|setImmediate|clearImmediate|(?:globalThis|self)\s*(?:\?\.|\.|\[)[\s'"`[]*(?:Buffer|process|global|setImmediate|clearImmediate))(?![\w$])/

/** Whether a source that is compiled by itself may need the modules or the globals of Node. */
export function mentionsNode(source: string): boolean {
  return MENTION.test(source)
}
