import type { SubjectContext } from '../refresh/index.ts';
import type { Store } from '../store/index.ts';
import { createProgress } from './progress/index.ts';
import type { Setup } from './setup.ts';

/** Runs work that may read models from folders or from the Hub, with progress on stderr. */
export async function withSubject<S extends Store | null, T>(
  { io, loaded, options, signal }: Setup,
  store: S,
  work: (context: SubjectContext & { store: S }) => Promise<T>,
): Promise<T> {
  const { withSubjects } = await import('../refresh/index.ts');
  const progress = createProgress(io, options.quiet ? 'none' : options.progress, options.logLevel);
  try {
    return await withSubjects({ config: loaded.config, store, emit: progress.sink, signal }, (context) =>
      work({ ...context, store }),
    );
  } finally {
    progress.stop();
  }
}
