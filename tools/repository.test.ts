import { expect, it } from 'vitest'
import { repositoryFields } from './repository.mjs'

it('derives repository, homepage and bugs of a package from the address in the root manifest', () => {
  expect(
    repositoryFields({ repository: 'https://git.example/owner/name' }, 'packages/metrics'),
  ).toEqual({
    repository: {
      type: 'git',
      url: 'git+https://git.example/owner/name.git',
      directory: 'packages/metrics',
    },
    homepage: 'https://git.example/owner/name/tree/main/packages/metrics#readme',
    bugs: { url: 'https://git.example/owner/name/issues' },
  })
})

it.each([
  undefined,
  '',
  'owner/name',
  'http://git.example/owner/name',
  'https://git.example/owner',
])('refuses a release while the address is %j', (repository) => {
  expect(() =>
    repositoryFields(repository === undefined ? {} : { repository }, 'packages/a'),
  ).toThrow('Expected "repository" in the root package.json')
})
