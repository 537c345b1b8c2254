import Anthropic from '@anthropic-ai/sdk'

export default async (baseURL: string) => {
  const client = new Anthropic({ apiKey: 'key', baseURL, maxRetries: 1 })
  const asked = {
    model: 'm',
    max_tokens: 10,
    messages: [{ role: 'user' as const, content: 'Say it' }],
  }
  const whole = await client.messages.create(asked)
  const texts: string[] = []
  const stream = client.messages.stream(asked).on('text', (text) => void texts.push(text))
  const last = await stream.finalMessage()
  const failure = await client.models.retrieve('missing').catch((error) => error)
  return {
    whole: whole.content,
    texts,
    last: last.content,
    usage: last.usage.output_tokens,
    failure: [failure.name, failure.status, failure instanceof Anthropic.NotFoundError],
  }
}
