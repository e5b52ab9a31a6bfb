// Runs Vitest and closes with one plain line of counts, whatever the reporter prints.
import { startVitest } from 'vitest/node';

const vitest = await startVitest('test', process.argv.slice(2), { watch: false });
const tests = vitest.state.getFiles().flatMap(function all(task) {
  return 'tasks' in task ? task.tasks.flatMap(all) : [task];
});
const count = (state) => tests.filter((t) => t.result?.state === state).length;
const failedFiles = vitest.state.getFiles().filter((f) => f.result?.state === 'fail').length;
const errors = vitest.state.getUnhandledErrors().length;
const passed = count('pass');
const failed = count('fail');
await vitest.close();
const skipped = tests.length - passed - failed;
console.log(`\n${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`);
process.exit(failed > 0 || failedFiles > 0 || errors > 0 || passed === 0 ? 1 : 0);
