"""The site: static pages in Chinese about every published evaluation, under `<published>/site/`.

    index.html                              districts, provinces and cities, newest verdicts
    region/<2 or 4 digits>.html             the districts of a province or a city compared over their phases
    district/<code>/index.html              one district over its phases; quality.html: what is doubtful in its data
    district/<code>/forecast.html           pupils to come; scenarios.html, scenario/<phase>/<id>.html: what would be
    district/<code>/trend.html              its course over the phases
    district/<code>/phase/<id>/index.html   the wall map; leader.html: all on one screen; plan.html: measures and who owns them;
                                            ledger.html: findings until they are signed off; r1.html …: an indicator of
                                            schools; g.html, q, s, v: the district's own indicators and what they rest on
    district/<code>/school/<code>.html      one school over its phases, every number with its sum and its cells
    search.html, terms.html                 any school by name or initials; what indicators mean
    compare.html, news.html                 schools side by side; what this publication changed
    assets/                                 the style, the script, the chart library

Pages need no network and no server. `build` reads and writes, `pages` lists the pages, the modules named after a page prepare its
rows, `templates/` has the HTML. Keep out: judging anything; opening DuckDB, because the caller passes an open connection.
"""

from youjun_pipeline.site.build import SiteResult, build_site

__all__ = ["SiteResult", "build_site"]
