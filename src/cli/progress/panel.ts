import type { RunEvent, Stage } from '../../refresh/index.ts';
import { formatDuration } from '../format.ts';
import type { Io } from '../io.ts';
import { describeEvent, describeProgress, isShown } from './describe.ts';
import type { LogLevel, Progress } from './index.ts';

const REDRAW_MS = 100;
const BAR_WIDTH = 24;

type ProgressEvent = Extract<RunEvent, { type: 'progress' }>;

/** One live line for the stage at work, finished stages above it. A wait is shown with its reason, so that a pause never looks like a hang. */
export function createPanelProgress(io: Io, level: LogLevel): Progress {
  const { bold, dim, green, yellow } = io.errColors;
  let live = '';
  let stage: Stage | null = null;
  let startedAt = 0;
  let last: ProgressEvent | null = null;
  let waitUntil = 0;
  let waitMessage = '';

  const clear = () => {
    if (live !== '') io.err('\r\u001b[2K');
    live = '';
  };
  const draw = () => {
    if (stage === null) return;
    const now = Date.now();
    const elapsed = formatDuration(now - startedAt);
    const count = last === null ? '' : `${bar(last)}${describeProgress(last)}`;
    const text = now < waitUntil ? `${waitMessage}, ${Math.ceil((waitUntil - now) / 1000)} s left` : count;
    const room = Math.max(20, io.columns() - stage.length - elapsed.length - 6);
    const line = `${bold(stage)}  ${now < waitUntil ? yellow(text.slice(0, room)) : text.slice(0, room)}  ${dim(elapsed)}`;
    clear();
    io.err(line);
    live = line;
  };
  const timer = setInterval(draw, REDRAW_MS);
  timer.unref();

  return {
    sink(event) {
      if (event.type === 'progress') {
        last = event;
        return;
      }
      if (event.type === 'stage-start') {
        stage = event.stage;
        startedAt = Date.now();
        last = null;
        return;
      }
      if (event.type === 'wait') {
        waitUntil = Date.now() + event.waitMs;
        waitMessage = event.message;
        return;
      }
      if (event.type === 'stage-end') stage = null;
      if (!isShown(event, level)) return;
      clear();
      io.err(`${event.type === 'stage-end' ? green('✓') : yellow('!')} ${describeEvent(event)}\n`);
    },
    stop() {
      clearInterval(timer);
      clear();
    },
  };
}

function bar({ done, total }: ProgressEvent): string {
  if (total === null || total === 0) return '';
  const filled = Math.min(BAR_WIDTH, Math.round((done / total) * BAR_WIDTH));
  return `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}  `;
}
