// Runs after `npm install`, so that neither the build nor a reader's browser needs extensions.duckdb.org.
//
// duckdb-wasm 1.28.0 (package.json names it) is the last one with the Parquet reader built in; later ones load it from that host.
// It holds DuckDB 0.9, which does not know two options that Evidence sets. They ask a newer DuckDB to behave as 0.9 always does,
// so the lines can go.
import { readFileSync, writeFileSync } from 'node:fs';

const folder = new URL('./node_modules/@evidence-dev/universal-sql/src/client-duckdb/', import.meta.url);
const options = /^.*\bSET (ieee_floating_point_ops = false|old_implicit_casting = true);.*\n/gm;

for (const name of ['node.js', 'browser.js']) {
	const file = new URL(name, folder);
	const text = readFileSync(file, 'utf-8');
	writeFileSync(file, text.replace(options, ''));
	if (!text.includes('db.connect()')) {
		throw new Error(`${name} is not what it was in Evidence 40.1.8: look how it sets up DuckDB, then mend without-network.js`);
	}
}
