// Schools side by side: those named in the address (compare.html?s=<page>&s=<page>), their figures loaded as scripts.
'use strict';

window.YOUJUN_FIGURES = {};
const MOST_SCHOOLS = 3;
// An address is anybody's text: only a page of this site is taken from it.
const SCHOOL_PAGE = /^(district\/[a-z0-9_~-]+)\/school\/[a-z0-9_~-]+\.html$/;
const given = new URLSearchParams(location.search).getAll('s').filter((page) => SCHOOL_PAGE.test(page));
const chosen = [...new Set(given)].slice(0, MOST_SCHOOLS);
const addressOf = (pages) => `?${new URLSearchParams(pages.map((page) => ['s', page]))}`;
// The search on this page adds a school instead of opening it.
window.YOUJUN_TARGET = (page) => addressOf([...chosen.filter((other) => other !== page), page]);

function loadFigures(folder) {
  return new Promise((done) => {
    const script = document.createElement('script');
    script.src = `${folder}/schools.js`;
    script.onload = script.onerror = done;
    document.head.append(script);
  });
}

function element(tag, text, attributes = {}) {
  const made = Object.assign(document.createElement(tag), attributes);
  if (text) made.append(text);
  return made;
}

function headOf(page, school) {
  const head = element('th', '', { scope: 'col' });
  const rest = chosen.filter((other) => other !== page);
  head.append(element('a', school.name, { href: page }), school.reconstructed ? ' ※重构 ' : ' ');
  head.append(element('a', '移去', { href: addressOf(rest), className: 'take-away', ariaLabel: `移去${school.name}` }));
  return head;
}

function valueCell(page, value) {
  if (!value) return element('td', '—', { className: 'none' });
  const [, css, sign, name, text, limit, gap, place] = value;
  const cell = element('td', '', { className: `c ${css}` });
  const mark = element('b', sign);
  mark.setAttribute('aria-label', name);
  cell.append(mark, ' ', element('a', text, { href: `${page}#${place}` }));
  const told = [limit, gap].filter(Boolean).join('，');
  if (told) cell.append(' ', element('small', told));
  return cell;
}

function rowsOf(schools) {
  const rows = new Map();
  const add = (title, place, cell) => {
    if (!rows.has(title)) rows.set(title, schools.map(() => null));
    rows.get(title)[place] = cell;
  };
  schools.forEach(([, school], place) => school.facts.forEach(([title, text]) => add(title, place, element('td', text))));
  schools.forEach(([page, school], place) => school.values.forEach((value) => add(value[0], place, valueCell(page, value))));
  return [...rows].map(([title, cells]) => {
    const row = document.createElement('tr');
    row.append(element('th', title, { scope: 'row' }), ...cells.map((cell) => cell ?? valueCell('', null)));
    return row;
  });
}

async function compare() {
  const folders = new Set(chosen.map((page) => SCHOOL_PAGE.exec(page)[1]));
  await Promise.all([...folders].map(loadFigures));
  const schools = chosen.filter((page) => window.YOUJUN_FIGURES[page]).map((page) => [page, window.YOUJUN_FIGURES[page]]);
  document.getElementById('pick').hidden = schools.length >= MOST_SCHOOLS;
  if (!schools.length) return;
  const table = document.getElementById('compared');
  table.tHead.rows[0].append(...schools.map(([page, school]) => headOf(page, school)));
  table.tBodies[0].append(...rowsOf(schools));
  document.getElementById('reconstructed').hidden = !schools.some(([, school]) => school.reconstructed);
  document.getElementById('side').hidden = false;
  window.offerCsv(table.closest('.scroll'));
}

addEventListener('load', compare);
