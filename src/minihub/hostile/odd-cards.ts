/** What people (and worse) write into cards: `base_model` as JSON, or a whole README. */
export const ODD_BASE_MODELS: Record<string, unknown> = {
  'base-null': null,
  'base-empty': '',
  'base-number': 7,
  'base-object': { name: 'owner/model' },
  'base-url': 'https://huggingface.co/hostile/clean-root',
  'base-trailing-slash': 'hostile/clean-root/',
  'base-spaces': '  hostile/clean-root  ',
  'base-other-case': 'Hostile/CLEAN-ROOT',
  'base-local-path': './local',
  'base-windows-path': 'C:\\models\\llama',
  'base-duplicates': ['hostile/clean-root', 'hostile/clean-root'],
  'base-list-of-200': Array.from({ length: 200 }, (_, i) => `nobody/model-${i}`),
  'base-mixed-list': ['hostile/clean-root', null, 3, ['nested/list']],
  'base-itself': 'hostile/base-itself',
  'base-cycle-a': 'hostile/base-cycle-b',
  'base-cycle-b': 'hostile/base-cycle-a',
  'base-long': `owner/${'x'.repeat(10_000)}`,
  'base-markup': '<script>alert(1)</script>/x',
  'base-unicode': 'modèle/ünïcode-\u202Eslamitep',
};

export const ODD_READMES: Record<string, string> = {
  'card-yaml-broken': '---\nlicense: [mit\nbase_model: "unterminated\n---\n# broken\n',
  'card-yaml-bomb': `---\na: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
    .split('')
    .map((name, i) => `${name}: &${name} [${Array.from({ length: 9 }, () => `*${'abcdefgh'[i]}`).join(',')}]`)
    .join('\n')}\n---\n`,
  'card-10000-tags': `---\ntags:\n${Array.from({ length: 10_000 }, (_, i) => `- tag-${i}`).join('\n')}\n---\n`,
  'card-control-characters': '---\nlicense: mit\n---\n\u0000\u0007\u001b[31mred\u001b[0m\u202E\n',
  'card-html': '---\nlicense: mit\n---\n<img src=x onerror=alert(1)><style>body{display:none}</style>\n',
};
