import { AIMessage, HumanMessage } from '@langchain/core/messages'
import { StringOutputParser } from '@langchain/core/output_parsers'
import { ChatPromptTemplate } from '@langchain/core/prompts'
import { RunnableLambda } from '@langchain/core/runnables'
import { FakeListChatModel } from '@langchain/core/utils/testing'

export default async (name: string) => {
  const prompt = ChatPromptTemplate.fromMessages([
    ['system', 'You are {who}'],
    ['human', '{question}'],
  ])
  const chain = prompt
    .pipe(new FakeListChatModel({ responses: ['one answer'] }))
    .pipe(new StringOutputParser())
    .pipe(RunnableLambda.from((text: string) => text.toUpperCase()))
  const parts = []
  for await (const part of await chain.stream({ who: name, question: 'x' })) parts.push(part)
  return [
    await chain.invoke({ who: name, question: 'why?' }),
    parts.join(''),
    new HumanMessage('hi').content,
    new AIMessage('yo')._getType(),
  ]
}
