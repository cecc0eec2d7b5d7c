"""The site: static pages in Chinese about every published evaluation, under `<published>/site/`.

    index.html                              districts, provinces and cities, newest verdicts
    region/<2 or 4 digits>.html             the districts of a province or a city compared over their phases
    district/<code>/index.html              one district over its phases; quality.html: what is doubtful in its data
    district/<code>/phase/<id>/index.html   the wall map; plan.html: measures and who owns them; R1.html …: an indicator
    district/<code>/forecast.html           pupils to come; scenarios.html, scenario/<phase>/<id>.html: what would be
    district/<code>/school/<code>.html      one school over its phases
    assets/                                 the style, the script, the chart library

Pages need no network and no server. `build` reads and writes, `pages` says which pages there are, the modules named after
a page shape its rows, `templates/` holds the HTML. Keep out: judging anything; DuckDB, which comes as an open connection.
"""

from youjun_pipeline.site.build import SiteResult, build_site

__all__ = ["SiteResult", "build_site"]
