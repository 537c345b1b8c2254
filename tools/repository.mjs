/**
 * The manifest fields that say where a package lives, from the one value in the root manifest.
 *
 * @param {{ repository?: string }} rootManifest its `repository` is the address of the public repository
 * @param {string} folder of the package, from the root, such as `packages/metrics`
 * @throws {Error} when the owner has not set the address yet, or when it is no https address
 */
export function repositoryFields({ repository }, folder) {
  if (typeof repository !== 'string' || !/^https:\/\/[^/]+\/[^/]+\/[^/]+$/.test(repository)) {
    throw new Error(
      `Expected "repository" in the root package.json to be the address of the public repository, such as ` +
        `"https://git.example/owner/name"; got ${JSON.stringify(repository)}. A release needs it.`,
    )
  }
  return {
    repository: { type: 'git', url: `git+${repository}.git`, directory: folder },
    homepage: `${repository}/tree/main/${folder}#readme`,
    bugs: { url: `${repository}/issues` },
  }
}
