// Looking a school up: pieces of the index are loaded as scripts, once something is asked for.
'use strict';

window.YOUJUN_SCHOOLS = [];
const form = document.getElementById('search');
const told = document.getElementById('told');
const list = document.getElementById('found');
const pieces = JSON.parse(document.getElementById('pieces').textContent);
const loading = [];
const MOST = 50;

function load(place) {
  loading[place] ??= new Promise((done) => {
    const script = document.createElement('script');
    script.src = `assets/search/${pieces[place].file}`;
    script.onload = script.onerror = done;
    document.head.append(script);
  });
  return loading[place];
}

// The better a school matches, the smaller the number; none when it does not.
function rank([name, initials, code], words) {
  let worst = 0;
  for (const word of words) {
    const found = code === word ? 0 : name === word ? 0 : initials === word ? 1 : name.startsWith(word) ? 2
      : initials.startsWith(word) ? 3 : name.includes(word) ? 4 : initials.includes(word) ? 5 : code.startsWith(word) ? 6 : null;
    if (found === null) return null;
    worst = Math.max(worst, found);
  }
  return worst;
}

let asked = 0;
async function search() {
  const mine = asked += 1;
  const words = form.elements.q.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const province = form.elements.province?.value ?? '';
  list.replaceChildren();
  if (words.join('').length < 2) { told.textContent = '输入两个以上的字或字母。'; return; }
  const wanted = pieces.map((piece, place) => place).filter((place) => !province || pieces[place].province === province);
  told.textContent = '正在查找……';
  await Promise.all(wanted.map(load));
  if (mine !== asked) return;
  const found = [];
  for (const place of wanted) {
    for (const school of window.YOUJUN_SCHOOLS[place] ?? []) {
      const at = rank(school, words);
      if (at !== null) found.push([at, school]);
    }
  }
  found.sort(([a, x], [b, y]) => a - b || x[0].length - y[0].length);
  told.textContent = found.length > MOST ? `找到 ${found.length} 所，列出前 ${MOST} 所；再写几个字。` : `找到 ${found.length} 所。`;
  for (const [, [name, , code, district, township, page]] of found.slice(0, MOST)) {
    const line = document.createElement('li');
    const link = document.createElement('a');
    const where = document.createElement('small');
    link.href = window.YOUJUN_TARGET ? window.YOUJUN_TARGET(page) : page;
    link.textContent = name;
    where.textContent = [district, township, code].filter(Boolean).join(' · ');
    line.append(link, ' ', where);
    list.append(line);
  }
}

form.addEventListener('input', search);
form.addEventListener('submit', (event) => { event.preventDefault(); list.querySelector('a')?.click(); });
const askedFor = new URLSearchParams(location.search).get('q');
if (askedFor) { form.elements.q.value = askedFor; search(); }
