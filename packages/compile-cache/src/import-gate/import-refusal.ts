/** Why a file may not be read for a handler; stable across versions. */
export type ImportRule =
  /** The path lies outside the import root, or outside the package that asks for it. */
  | 'outside'
  /** A symbolic link inside the import root leads out of it, or one inside a package leads out of that. */
  | 'link'
  /** The name of the file, or of a directory above it, begins with a dot. */
  | 'hidden'
  /** The file belongs to the operator: `nexus.yaml`, the data directory, the cache directory. */
  | 'private'
  /** It is a directory, a pipe, a socket or a device. */
  | 'not-a-file'
  /** `text` and `bytes` are for files of the import root. */
  | 'attribute'
  /** No loader takes files of this kind. */
  | 'kind'
  /** The specifier is not a path, a package or a URL that can be imported. */
  | 'specifier'
  /** One file is larger than `maxFileBytes`. */
  | 'file-size'
  /** The files of one bundle are together larger than `maxBundleBytes`. */
  | 'bundle-size'
  /** Finding one module takes too many steps: maps or links lead to each other, or directories are too deep. */
  | 'resolve-steps'

/** What each rule says. `outside` and `link` name the setting that widens the root; no text holds a byte of a file. */
const EXPLANATIONS: Record<ImportRule, string> = {
  outside:
    'it lies outside the import root. A handler may import files of its import root, and packages of a ' +
    'node_modules folder there or above; a package, only its own files and packages. ' +
    'To widen the root set importRoot in nexus.yaml (root of compileFile)',
  link:
    'a symbolic link on the way leads out of the import root, or out of the package. Only packages in a node_modules ' +
    'folder above the import root may be links to elsewhere. Set importRoot in nexus.yaml (root of compileFile) ' +
    'to a directory that holds the link and its target',
  hidden:
    'files and directories whose name begins with a dot are never read. Rename it; no setting allows it',
  private:
    'nexus.yaml, the data directory and the cache directory are never read. Move what the handler needs ' +
    'to another file; no setting allows it',
  'not-a-file':
    'it is not a regular file. Expected a file, not a directory, a pipe, a socket or a device',
  attribute:
    'files of a package cannot be imported as text or bytes, only files of the import root. ' +
    'Copy it into the import root, or widen that with importRoot in nexus.yaml (root of compileFile)',
  kind:
    'no loader takes files of this kind. Expected .js, .mjs, .cjs, .jsx, .ts, .mts, .cts, .tsx or .json, .txt in the ' +
    "import root, or an import with { type: 'text' } or { type: 'bytes' }",
  specifier:
    'expected a relative path, a package, a file: URL, or a data: URL of type text/javascript, application/json or text/plain',
  'file-size': 'the file is larger than maxFileBytes',
  'resolve-steps':
    'it takes too many steps to find. Expected maps of package.json and tsconfig.json, and links, that lead to files and ' +
    'not to each other, and directories that are not deeper than any project needs',
  'bundle-size': 'with it the files of this bundle are larger than maxBundleBytes',
}

/** The rules that say that something is too much, not that it is not allowed. */
const LIMITS: ReadonlySet<ImportRule> = new Set(['file-size', 'bundle-size', 'resolve-steps'])

/** A file that must not be read, and the rule that says so. */
export class ImportRefusal extends Error {
  override readonly name = 'ImportRefusal'
  readonly rule: ImportRule
  /** What asked for the file, where no import did: a configuration, and the path as written in it. */
  asked: { by: string; path: string } | undefined

  /** @param detail figures to show in parentheses, such as the limit */
  constructor(rule: ImportRule, detail?: string) {
    super(detail === undefined ? EXPLANATIONS[rule] : `${EXPLANATIONS[rule]} (${detail})`)
    this.rule = rule
  }

  /** The code of the error that tells the author. */
  get code(): 'RESOURCE_LIMIT' | 'IMPORT_REFUSED' {
    return LIMITS.has(this.rule) ? 'RESOURCE_LIMIT' : 'IMPORT_REFUSED'
  }
}
