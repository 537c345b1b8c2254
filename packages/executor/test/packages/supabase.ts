import { createClient } from '@supabase/supabase-js'

export default async ({ endpoint }: { endpoint: string }) => {
  const supabase = createClient(endpoint, 'key', {
    auth: { persistSession: false, autoRefreshToken: false },
  })
  const rows = await supabase.from('people').select('id, name').eq('age', 5).order('name')
  const made = await supabase.from('people').insert({ name: 'x' }).select().single()
  const failed = await supabase.from('nowhere').select()
  return [rows.data, made.data, failed.error?.code, failed.status]
}
