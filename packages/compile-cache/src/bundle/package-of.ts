/** The npm package that a file belongs to. */
export function packageOf(file: string): string | undefined {
  return /.*(?:^|[\\/])node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/]+)/
    .exec(file)?.[1]
    ?.replace('\\', '/')
}
