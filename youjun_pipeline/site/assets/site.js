// Sorting, filtering, phase tabs and charts. Every page is complete without it; it needs no network.
'use strict';

const collator = new Intl.Collator('zh-CN', { numeric: true });

// ---- sorting: a header with data-sort gets a button (a real one would vanish from the header that is repeated on paper)

function cellKey(row, column, kind) {
  const cell = row.cells[column];
  const text = cell.dataset.v ?? cell.textContent.trim();
  if (kind !== 'num') return text;
  const value = parseFloat(text.replace(/[,\s]/g, ''));
  return Number.isNaN(value) ? null : value;
}

function sortBy(header) {
  const table = header.closest('table');
  const column = header.cellIndex;
  const kind = header.dataset.sort;
  // The first click puts the worst on top: the largest, unless the header says that the smallest is.
  const first = header.dataset.first ?? (kind === 'num' ? 'descending' : 'ascending');
  const other = first === 'ascending' ? 'descending' : 'ascending';
  const direction = header.getAttribute('aria-sort') === first ? other : first;
  for (const th of header.parentNode.cells) { th.removeAttribute('aria-sort'); th.classList.remove('sorted'); }
  header.setAttribute('aria-sort', direction);
  header.classList.add('sorted');
  const sign = direction === 'ascending' ? 1 : -1;
  const body = table.tBodies[0];
  const keyed = Array.from(body.rows, (row) => [cellKey(row, column, kind), row]);
  // What has no figure stands at the end whichever way the rest is sorted.
  keyed.sort(([a], [b]) => (a === null) - (b === null) || sign * (kind === 'num' ? a - b : collator.compare(a, b)));
  body.append(...keyed.map(([, row]) => row));
}

for (const header of document.querySelectorAll('th[data-sort]')) {
  const button = document.createElement('span');
  button.setAttribute('role', 'button');
  button.className = 'sort';
  button.tabIndex = 0;
  const link = header.querySelector('a');
  // A header that is a link keeps it; its button is the sign beside it.
  if (link) { button.setAttribute('aria-label', `按 ${link.textContent.trim()} 排序`); header.append(button); }
  else { button.append(...header.childNodes); header.append(button); }
  button.addEventListener('click', () => { sortBy(header); shorten(header.closest('table')); });
  button.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); button.click(); }
  });
}

// ---- a phone shows rows as cards: each cell then says what it is (a grid stays a grid)

for (const table of document.querySelectorAll('table:not(.grid)')) {
  const labels = Array.from(table.tHead.rows[0].cells, (th) => th.textContent.trim());
  for (const row of table.tBodies[0].rows) {
    for (const cell of row.cells) {
      if (cell.tagName === 'TD') cell.dataset.label = labels[cell.cellIndex];
      cell.classList.toggle('blank', cell.textContent.trim() === '—');
    }
  }
}

// ---- a phone shows the first rows of a table, and the rest when asked

const FEW_ROWS = 10;

function shorten(table) {
  let shown = 0;
  for (const row of table.tBodies[0].rows) {
    row.classList.toggle('over', !row.hidden && shown >= FEW_ROWS);
    shown += !row.hidden;
  }
  const more = document.getElementById(table.dataset.more ?? '');
  if (more) { more.textContent = `显示其余 ${shown - FEW_ROWS} 行`; more.hidden = shown <= FEW_ROWS; }
}

let tables = 0;
for (const table of document.querySelectorAll('.scroll > table')) {
  if (table.tBodies[0].rows.length <= FEW_ROWS) continue;
  const more = document.createElement('button');
  more.type = 'button';
  more.className = 'more';
  more.id = table.dataset.more = `more-${tables += 1}`;
  more.addEventListener('click', () => { table.classList.remove('short'); more.remove(); });
  table.classList.add('short');
  table.parentElement.after(more);
  shorten(table);
}

// ---- every table can be taken along: CSV with a byte order mark, as spreadsheets want it; the rows that are shown

function csvOf(table) {
  const cell = (text) => `"${text.replace(/\s+/g, ' ').trim().replaceAll('"', '""')}"`;
  const rows = [...table.tHead.rows, ...[...table.tBodies[0].rows].filter((row) => !row.hidden)];
  return '\ufeff' + rows.map((row) => [...row.cells].map((c) => cell(c.textContent)).join(',')).join('\r\n') + '\r\n';
}

function offerCsv(region) {
  const table = region.querySelector('table');
  if (!table?.tBodies[0]?.rows.length) return;
  const link = document.createElement('a');
  const name = region.getAttribute('aria-label') ?? document.title;
  link.className = 'take';
  link.textContent = '下载 CSV';
  link.setAttribute('aria-label', `下载 CSV：${name}`);
  link.download = `${document.title} ${name}.csv`;
  link.href = '#';
  link.addEventListener('click', () => {
    link.href = URL.createObjectURL(new Blob([csvOf(table)], { type: 'text/csv' }));
    setTimeout(() => { URL.revokeObjectURL(link.href); link.href = '#'; }, 1000);
  });
  region.before(link);
}

document.querySelectorAll('.scroll').forEach(offerCsv);

// ---- text that is to be copied: a row to be pasted into a workbook

for (const place of document.querySelectorAll('.copy')) {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = place.dataset.label ?? '复制答复行';
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(place.dataset.copy);
    button.textContent = '已复制';
  });
  place.append(button);
  place.hidden = false;
}

// ---- filtering: a toolbar names its table; selects compare data attributes, the field looks into the row's text

for (const toolbar of document.querySelectorAll('.toolbar')) {
  const table = document.getElementById(toolbar.dataset.table);
  const field = toolbar.querySelector('input');
  const selects = [...toolbar.querySelectorAll('select')];
  const output = toolbar.querySelector('output');
  const rows = [...table.tBodies[0].rows];
  const filter = () => {
    const words = field.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = words.length ? (row.textContent + ' ' + Object.values(row.dataset).join(' ')).toLowerCase() : '';
      const matches = words.every((word) => text.includes(word))
        && selects.every((s) => !s.value || row.dataset[s.dataset.name] === s.value
          || row.dataset[s.dataset.name].split('|').includes(s.value));
      row.hidden = !matches;
      shown += matches;
    }
    shorten(table);
    output.textContent = shown === rows.length ? `共 ${rows.length} 行` : `显示 ${shown} / ${rows.length} 行`;
  };
  // A link may say what is to be shown: index.html?town=…
  for (const s of selects) {
    const asked = new URLSearchParams(location.search).get(s.dataset.name);
    if (asked !== null && [...s.options].some((o) => o.value === asked)) s.value = asked;
  }
  toolbar.addEventListener('input', filter);
  filter();
}

// ---- one school, several phases: the newest, or the one the address names

const tabs = document.querySelector('[data-tabs]');
if (tabs) {
  const links = [...tabs.querySelectorAll('a')];
  const parts = [...document.querySelectorAll('.tab')];
  const show = () => {
    const wanted = decodeURIComponent(location.hash.slice(1));
    const target = document.getElementById(wanted);
    const current = parts.find((part) => part === target || part.contains(target)) ?? parts[0];
    for (const part of parts) part.hidden = part !== current;
    for (const link of links) {
      if (link.getAttribute('href') === `#${current.id}`) link.setAttribute('aria-current', 'true');
      else link.removeAttribute('aria-current');
    }
  };
  addEventListener('hashchange', show);
  show();
}

// ---- an address that names a place inside something folded opens it

const reveal = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let part = target; part; part = part.parentElement) {
    if (part.tagName === 'DETAILS') part.open = true;
    if (part.classList.contains('folded')) unfold(part);
  }
  target.scrollIntoView();
};
addEventListener('hashchange', reveal);

// ---- charts: the specification from charts.js, the data from the page

// A legend names what is in the chart; classes of values break at the limit, so that no bar stands on both sides of it.
function fit(node, data) {
  if (Array.isArray(node)) { for (const part of node) fit(part, data); return; }
  if (node === null || typeof node !== 'object') return;
  if (node.field && Array.isArray(node.scale?.domain)) {
    const present = new Set(Object.values(data).flat().map((row) => row?.[node.field]));
    const kept = node.scale.domain.map((name, place) => [name, node.scale.range[place]]).filter(([name]) => present.has(name));
    node.scale.domain = kept.map(([name]) => name);
    node.scale.range = kept.map(([, look]) => look);
  }
  const limit = data.lines?.find((line) => line.label === '标准')?.value;
  if (node.bin?.maxbins && limit !== undefined) node.bin.anchor = limit;
  for (const part of Object.values(node)) fit(part, data);
}

for (const place of document.querySelectorAll('.chart')) {
  const data = JSON.parse(document.getElementById(place.dataset.source).textContent);
  // The unit goes into text that is parsed again: as JSON writes it.
  const unit = JSON.stringify(data.unit ? `（${data.unit}）` : '').slice(1, -1);
  const text = JSON.stringify(window.YOUJUN_CHARTS[place.dataset.chart]);
  const specification = JSON.parse(text.replaceAll('{unit}', () => unit));
  fit(specification, data);
  const width = Math.max(place.clientWidth - 75, 180);
  // A facet is a row of small charts, each as wide as its specification says: fewer of them fit beside each other on a phone.
  if (specification.facet) {
    const each = (specification.spec.width ?? 200) + 70;
    specification.columns = Math.max(1, Math.min(specification.columns, Math.floor(place.clientWidth / each)));
    if (specification.columns === 1) specification.spec.width = Math.max(place.clientWidth - 75, 150);
  }
  for (const part of specification.facet ? [] : specification.vconcat ?? [specification]) {
    part.width = place.dataset.chart === 'contribution' ? Math.max(width - 120, 110) : width;
  }
  specification.datasets = data;
  // `ast` interprets expressions instead of compiling them, which the pages' security policy forbids.
  window.vegaEmbed(place, specification, { actions: false, renderer: 'svg', ast: true, tooltip: { theme: 'light' } })
    .catch((error) => { place.textContent = '图未能显示，数值见下表。'; console.error(error); });
}

// ---- a long page on a phone: every part is cut to what fits into so many screens, and opens when asked

const MOST_PIXELS = 5700;

function foldParts() {
  const parts = [...document.querySelectorAll('main > section')].filter((part) => part.offsetHeight);
  const heights = parts.map((part) => part.offsetHeight);
  const total = document.documentElement.scrollHeight;
  if (!matchMedia('(max-width: 640px)').matches || total <= MOST_PIXELS) return;
  // The height at which cutting everything above it is enough; a cut part has a button more.
  const rest = total - heights.reduce((sum, height) => sum + height, 0);
  let limit = Math.max(...heights);
  const after = () => rest + heights.reduce((sum, height) => sum + (height > limit ? limit + 60 : height), 0);
  while (after() > MOST_PIXELS && limit > 160) limit -= 20;
  parts.forEach((part, place) => {
    if (heights[place] <= limit + 60) return;
    const more = document.createElement('button');
    more.type = 'button';
    more.className = 'more';
    more.textContent = `展开“${part.querySelector('h2, h3')?.firstChild?.textContent.trim() ?? '其余内容'}”`;
    more.addEventListener('click', () => unfold(part));
    part.classList.add('folded');
    part.style.setProperty('--fold', `${limit}px`);
    part.after(more);
  });
}

function unfold(part) {
  if (!part?.classList.contains('folded')) return;
  part.classList.remove('folded');
  part.nextElementSibling.remove();
}

foldParts();
if (location.hash) reveal();

// ---- print with everything open; say which publication this is

addEventListener('beforeprint', () => { for (const d of document.querySelectorAll('details:not(.how)')) d.open = true; });
const publication = window.YOUJUN_PUBLICATION;
if (publication?.publishedAt) {
  document.getElementById('publication').textContent =
    `发布于 ${publication.publishedAt}（北京时间），统计截止 ${publication.asOf}`;
}
