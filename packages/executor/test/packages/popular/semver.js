import semver from 'semver'
export default () => [
  semver.satisfies('1.2.3', '^1.0.0 || >=3'),
  semver.sort(['1.10.0', '1.2.0', '1.2.0-a.1']),
  semver.inc('1.2.3', 'prerelease', 'b'),
  semver.coerce('v2.x')?.version,
  semver.minVersion('>1.2').version,
]
