import OpenAI from 'openai'

export default async (baseURL: string) => {
  const client = new OpenAI({ apiKey: 'key', baseURL, maxRetries: 1 })
  const messages = [{ role: 'user' as const, content: 'Say it' }]
  const whole = await client.chat.completions.create({ model: 'm', messages })
  let streamed = ''
  const pieces: string[] = []
  for await (const chunk of await client.chat.completions.create({
    model: 'm',
    messages,
    stream: true,
  })) {
    const piece = chunk.choices[0]?.delta.content ?? ''
    pieces.push(piece)
    streamed += piece
  }
  const failure = await client.models.retrieve('missing').catch((error) => error)
  const file = await client.files.create({
    purpose: 'batch',
    file: new File(['{"a":1}'], 'batch.jsonl', { type: 'application/jsonl' }),
  })
  return {
    whole: whole.choices[0]?.message.content,
    streamed,
    pieces: pieces.length,
    failure: [failure.name, failure.status, failure instanceof OpenAI.NotFoundError],
    file: file.id,
  }
}
