import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'

export default async ({ endpoint }: { endpoint: string }) => {
  const settings = {
    endpoint,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
    maxAttempts: 1,
  }
  const s3 = new S3Client({ ...settings, forcePathStyle: true })
  const put = await s3.send(new PutObjectCommand({ Bucket: 'b', Key: 'k é', Body: 'text' }))
  const got = await s3.send(new GetObjectCommand({ Bucket: 'b', Key: 'k é' }))
  const missing = await s3
    .send(new GetObjectCommand({ Bucket: 'b', Key: 'missing' }))
    .catch((error: Error) => [error.name, error.message])
  const db = new DynamoDBClient(settings)
  await db.send(new PutItemCommand({ TableName: 't', Item: { id: { S: '1' } } }))
  const item = await db.send(new GetItemCommand({ TableName: 't', Key: { id: { S: '1' } } }))
  return [put.ETag, await got.Body?.transformToString(), got.ContentType, missing, item.Item]
}
