import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The token as the `hf` tools find it: HF_TOKEN, then the file HF_TOKEN_PATH, then HF_HOME/token, then ~/.cache/huggingface/token. */
export function readToken(env: NodeJS.ProcessEnv): { token: string | null; origin: string } {
  const direct = env.HF_TOKEN?.trim();
  if (direct) return { token: direct, origin: 'environment HF_TOKEN' };
  const cache = env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const file = env.HF_TOKEN_PATH ?? join(env.HF_HOME ?? join(cache, 'huggingface'), 'token');
  try {
    const stored = readFileSync(file, 'utf8').trim();
    if (stored) return { token: stored, origin: file };
  } catch {
    // no file is the ordinary case of an anonymous run
  }
  return { token: null, origin: 'none' };
}
