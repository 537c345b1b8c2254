import matter from 'gray-matter'

export default (text: string) => {
  const file = matter(text, { excerpt: true })
  return [
    file.data,
    file.content,
    file.excerpt,
    matter.stringify('body', { title: 'é', list: [1, 2] }),
    matter.test(text),
  ]
}
