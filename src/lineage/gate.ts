/** Runs what it is given as soon as fewer than its limit are under way, in the order it was asked. */
export type Gate = <T>(enter: () => Promise<T>) => Promise<T>;

export function createGate(limit: number): Gate {
  const waiting: (() => void)[] = [];
  let inside = 0;
  return async (enter) => {
    if (inside >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else inside++;
    try {
      return await enter();
    } finally {
      // the place is handed on, or given up
      const next = waiting.shift();
      if (next) next();
      else inside--;
    }
  };
}

/** Lets whatever has come in meanwhile be heard: messages, signals. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
