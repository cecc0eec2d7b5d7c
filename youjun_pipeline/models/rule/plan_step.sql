-- Milestones, and whether their task delivers a result by which an indicator could be judged. A task that ends with a part of the
-- work (its structure, a plan, a survey) is partial: the words 部分 and 主体 always mean this, the other words only if the same
-- task does not also mention a result.
select m.district_code, m.phase_id, m.milestone_no, m.measure_no, m.indicator_code, m.due, m.task,
    plain_name(m.task) as plain_task,
    replace(m.task, '主体责任', '') as words,
    regexp_matches(words, '部分|主体|封顶')
        or (regexp_matches(words, '方案|核实|摸底|普查|调研|立项|论证|设计|招标|开工|动工|启动|基础施工')
            and not regexp_matches(words, '全部|到位|建成|竣工|完工|交付|投入使用|启用|可以使用|具备使用|达标|合格'))
        as is_partial
from core.milestone m
semi join run_evaluation using (district_code, phase_id)
where not m.is_missing_now
