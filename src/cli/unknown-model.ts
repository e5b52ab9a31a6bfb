import { findNearest } from '../types/did-you-mean.ts';
import { HublineageError } from '../types/errors.ts';

/** A repo nobody knows, with the nearest name. */
export function unknownModel(name: string, suggestions: readonly string[]): HublineageError {
  const nearest = findNearest(name, suggestions) ?? suggestions[0];
  return new HublineageError(
    'ModelUnknown',
    `No model called ${name === '' ? '""' : name} is in the index.`,
    {
      hint: nearest
        ? `Did you mean ${nearest}?`
        : 'Names are owner/name as on the Hub; `hublineage sql "SELECT repo FROM models"` lists all.',
    },
  );
}
