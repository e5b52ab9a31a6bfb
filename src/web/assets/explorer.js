// Everything works without this file. It adds: names suggested while typing, and the sizes of scrolled pictures brought to their focus.
(() => {
  const inputs = document.querySelectorAll('input[data-suggest]');
  for (const input of inputs) {
    const list = document.getElementById(input.getAttribute('list') ?? '');
    let timer = 0;
    let asked = '';
    let running = null;
    const ask = async () => {
      const query = input.value.trim();
      if (query === asked || query.length < 2 || query.length > 200) return;
      asked = query;
      running?.abort();
      running = new AbortController();
      try {
        const answer = await fetch(`/search.json?limit=8&q=${encodeURIComponent(query)}`, {
          signal: running.signal,
        });
        if (!answer.ok) return;
        const { results } = await answer.json();
        list.replaceChildren(
          ...results.map((row) => {
            const option = document.createElement('option');
            option.value = row.repo;
            return option;
          }),
        );
      } catch {
        // typing went on, or the server is away: no suggestions then
      }
    };
    input.addEventListener('input', () => {
      clearTimeout(timer);
      timer = setTimeout(ask, 120);
    });
    // a whole name chosen from the list leads to its page at once
    input.form?.addEventListener('submit', (event) => {
      const names = [...list.options].map((option) => option.value);
      const typed = input.value.trim();
      if (!names.includes(typed)) return;
      event.preventDefault();
      location.assign(`/models/${typed.split('/').map(encodeURIComponent).join('/')}`);
    });
  }
})();
