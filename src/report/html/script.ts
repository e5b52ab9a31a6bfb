/**
 * Sorting and filtering of tables, nothing else; without it the page is complete. Its hash stands in the page's CSP. It reads text and
 * data attributes only and writes no HTML.
 */
export const SCRIPT = `
(function () {
  document.documentElement.classList.add('js');
  function value(row, column) {
    var cell = row.cells[column];
    var raw = cell.getAttribute('data-value');
    if (raw === null) return cell.textContent.trim().toLowerCase();
    return raw === '' ? -Infinity : Number(raw);
  }
  function sort(table, th, column) {
    var down = th.getAttribute('aria-sort') === 'ascending';
    Array.prototype.forEach.call(th.parentNode.cells, function (other) { other.removeAttribute('aria-sort'); });
    th.setAttribute('aria-sort', down ? 'descending' : 'ascending');
    var body = table.tBodies[0];
    var rows = Array.prototype.slice.call(body.rows).map(function (row, index) {
      return { row: row, key: value(row, column), index: index };
    });
    rows.sort(function (a, b) {
      var order = a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
      return (down ? -order : order) || a.index - b.index;
    });
    rows.forEach(function (item) { body.appendChild(item.row); });
  }
  Array.prototype.forEach.call(document.querySelectorAll('table.sortable'), function (table) {
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (th, column) {
      var button = document.createElement('button');
      button.type = 'button';
      button.textContent = th.textContent;
      th.textContent = '';
      th.appendChild(button);
      button.addEventListener('click', function () { sort(table, th, column); });
    });
  });
  Array.prototype.forEach.call(document.querySelectorAll('.filters'), function (bar) {
    var table = document.getElementById(bar.getAttribute('data-for'));
    var text = bar.querySelector('input');
    var verdict = bar.querySelector('select');
    var count = bar.querySelector('output');
    function apply() {
      var wanted = text.value.trim().toLowerCase();
      var shown = 0;
      Array.prototype.forEach.call(table.tBodies[0].rows, function (row) {
        var fits = (wanted === '' || row.textContent.toLowerCase().indexOf(wanted) >= 0) &&
          (verdict.value === '' || row.getAttribute('data-verdict') === verdict.value);
        row.hidden = !fits;
        if (fits) shown += 1;
      });
      count.textContent = shown + ' shown';
    }
    text.addEventListener('input', apply);
    verdict.addEventListener('change', apply);
    apply();
  });
})();
`.trim();
