import { HublineageError } from '../../types/errors.ts';
import { renderCompletion, SHELLS } from '../completion-script.ts';
import { EXIT } from '../exit-codes.ts';
import { createProgram } from '../program.ts';
import type { CommandDefinition } from '../setup.ts';

export const completion: CommandDefinition = {
  name: 'completion',
  args: '<shell>',
  description: `Print a completion script for ${SHELLS.join(', ')}.`,
  examples: [
    'eval "$(hublineage completion bash)"',
    'hublineage completion fish > ~/.config/fish/completions/hublineage.fish',
  ],
  async work({ io }, args) {
    const shell = SHELLS.find((known) => known === args[0]);
    if (shell === undefined)
      throw new HublineageError('UsageInvalid', `There is no completion for ${args[0]}.`, {
        hint: `There is one for ${SHELLS.join(', ')}.`,
      });
    const { loadCommands } = await import('./index.ts');
    const commands = await loadCommands();
    await io.out(
      renderCompletion(
        createProgram(io, commands, async () => {}),
        shell,
      ),
    );
    return EXIT.done;
  },
};
