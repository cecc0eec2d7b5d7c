-- Only missing data that leave something open are listed; what nobody reported and nothing uses is not. A dataset that was never
-- delivered is one row, a school without a row in it is one row, otherwise each blank cell is one row. Every verdict without data
-- is in some row: if no blank explains it, rejected rows do, and the verdict's own words are quoted.
with judged as (
    select district_code, phase_id, indicator_code, school_code, stage, reason
    from mart.school_indicator
    semi join run_evaluation using (district_code, phase_id)
    where status = 'no_data'
), balance as (
    select district_code, phase_id, indicator_code, stage, reason
    from mart.stage_balance
    semi join run_evaluation using (district_code, phase_id)
    where status = 'no_data'
), district as (
    select d.district_code, d.phase_id, d.indicator_code, d.summary
    from mart.district_indicator d
    join run_evaluation e using (district_code, phase_id)
    join standard.indicator i on i.standard_id = e.standard_id and i.indicator_code = d.indicator_code
    where d.status = 'no_data' and i.level = 'district'
), blank as (
    -- figures that were asked for and not given; if `row` is null the whole row is missing
    select l.district_code, l.phase_id, split_part(l.input, '.', 1) as dataset, l.school_code, l.stage, l.indicator_code,
        if(l."row" is null, null, l.column_name) as column_name,
        case when dataset = 'assurance' then substr(l.input, len('assurance.') + 1) when l."row" is not null then l.detail end as item,
        l.delivery, l.file, l.sheet, l."row"
    from mart.lineage l
    semi join run_evaluation using (district_code, phase_id)
    where l.waiver is null and l.value is null
        -- for these columns detail is the value; for the others it identifies the row
        and (l.detail is null
            or l.column_name not in ('conclusion', 'evidence', 'school_type', 'urban_rural', 'dense_urban'))
), absent as (
    -- rows that are missing completely: classes of a section, rooms of a district, and teachers for the district's sums
    select s.district_code, s.phase_id, 'classes' as dataset, s.school_code, s.stage, j.indicator_code
    from core.section s
    join judged j
        on j.district_code = s.district_code and j.phase_id = s.phase_id and j.school_code = s.school_code
        and j.indicator_code in ('G3', 'G5') and j.stage in (s.stage, 'compulsory')
    anti join core.class_group c
        on c.district_code = s.district_code and c.phase_id = s.phase_id and c.school_code = s.school_code
        and c.stage = s.stage
    union
    select j.district_code, j.phase_id, 'special_rooms', j.school_code, j.stage, j.indicator_code
    from judged j
    anti join core.chosen_file f
        on f.district_code = j.district_code and f.phase_id = j.phase_id and f.dataset = 'special_rooms'
    where j.indicator_code = 'G3'
    union
    select b.district_code, b.phase_id, b.dataset, b.school_code, b.stage, d.indicator_code
    from blank b
    join district d
        on d.district_code = b.district_code and d.phase_id = b.phase_id and d.indicator_code in ('G9', 'G12')
    where b.dataset = 'teachers' and b.column_name is null
), lacking as (
    select * from blank
    union all by name
    select * from absent
), cost as (
    -- one row for each missing thing and each verdict that it leaves open
    select distinct l.* exclude (stage),
        -- all stages use the facilities; a column of the roster names its stage
        if(l.dataset in ('teachers', 'classes'), l.stage, null) as stage,
        if(j.school_code is not null or d.indicator_code is not null, l.indicator_code, null) as undecided,
        if(b.stage is not null, l.indicator_code, null) as undecided_balance,
        if(b.stage is not null, l.stage, null) as balance_stage
    from lacking l
    left join judged j
        on j.district_code = l.district_code and j.phase_id = l.phase_id and j.school_code = l.school_code
        and j.indicator_code = l.indicator_code and (j.stage = l.stage or j.stage = 'compulsory')
    left join balance b
        on b.district_code = l.district_code and b.phase_id = l.phase_id and b.indicator_code = l.indicator_code
        and b.stage = l.stage
    left join district d
        on d.district_code = l.district_code and d.phase_id = l.phase_id and d.indicator_code = l.indicator_code
    where undecided is not null or undecided_balance is not null
), delivered as (
    select district_code, phase_id, if(dataset = 'class_bands', 'classes', dataset) as dataset
    from core.chosen_file
    semi join run_evaluation using (district_code, phase_id)
    group by all
), placed as (
    -- for a dataset that was never delivered, all schools together
    select c.district_code, c.phase_id, c.dataset, c.undecided, c.undecided_balance, c.balance_stage,
        c.school_code as of_school, v.dataset is not null as is_delivered,
        if(is_delivered, c.school_code, null) as school_code,
        if(is_delivered, c.stage, null) as stage,
        if(is_delivered, c.column_name, null) as column_name,
        if(is_delivered, c.item, null) as item,
        c.delivery, c.file, c.sheet, c."row"
    from cost c
    left join delivered v on v.district_code = c.district_code and v.phase_id = c.phase_id
        and v.dataset = if(c.dataset = 'class_bands', 'classes', c.dataset)
), open_otherwise as (
    -- what no blank explains: a district-level dataset that nobody delivered, or rejected rows
    select d.district_code, d.phase_id, null::varchar as school_code, null::varchar as stage, d.indicator_code,
        coalesce(m.dataset, 'assurance') as dataset, null::varchar as balance, d.summary as why
    from district d
    left join (values ('S1', 'recognition'), ('Q9', 'quality_monitoring'), ('Q1', 'graduation_cohorts'),
        ('Q4', 'school_finance'), ('G6', 'school_finance'), ('G9', 'teachers'), ('G12', 'teachers'), ('G13', 'schools')
    ) m (indicator_code, dataset) using (indicator_code)
    anti join placed p
        on p.district_code = d.district_code and p.phase_id = d.phase_id and p.undecided = d.indicator_code
    union all
    select j.district_code, j.phase_id, j.school_code, j.stage, j.indicator_code, h.dataset, null, j.reason
    from judged j
    anti join placed p
        on p.district_code = j.district_code and p.phase_id = j.phase_id and p.of_school = j.school_code
        and p.undecided = j.indicator_code
    left join (
        select district_code, phase_id, any_value(dataset order by dataset) as dataset from core.hidden group by all
    ) h using (district_code, phase_id)
    union all
    select b.district_code, b.phase_id, null, b.stage, b.indicator_code, h.dataset, b.stage, b.reason
    from balance b
    anti join placed p
        on p.district_code = b.district_code and p.phase_id = b.phase_id and p.undecided_balance = b.indicator_code
        and p.balance_stage = b.stage
    left join (
        select district_code, phase_id, any_value(dataset order by dataset) as dataset from core.hidden group by all
    ) h using (district_code, phase_id)
), line as (
    select district_code, phase_id, dataset, school_code, stage, column_name, item, is_delivered, undecided,
        undecided_balance, balance_stage, of_school, null::varchar as why, delivery, file, sheet, "row"
    from placed
    union all by name
    select o.district_code, o.phase_id, o.dataset, o.school_code, o.stage, v.dataset is not null or o.dataset is null as is_delivered,
        if(balance is null, indicator_code, null) as undecided, if(balance is not null, indicator_code, null) as undecided_balance,
        balance as balance_stage, o.school_code as of_school,
        if(is_delivered, o.why, null) as why
    from open_otherwise o
    left join delivered v using (district_code, phase_id, dataset)
), listed as (
    select l.district_code, l.phase_id, l.dataset, l.school_code, l.stage, l.column_name, l.item, l.is_delivered, l.why,
        list(distinct l.undecided) filter (l.undecided is not null) as undecided,
        list(distinct l.balance_stage || ' ' || l.undecided_balance) filter (l.undecided_balance is not null) as balances,
        count(distinct l.of_school)::integer as schools,
        any_value(l.delivery) as delivery, any_value(l.file) as file, any_value(l.sheet) as sheet, any_value(l."row") as "row"
    from line l
    group by l.district_code, l.phase_id, l.dataset, l.school_code, l.stage, l.column_name, l.item, l.is_delivered, l.why
), ordered as (
    select l.* replace (
            list_transform(list_sort(list_transform(coalesce(l.undecided, []), lambda x: code_order(x))),
                lambda x: code_of(x)) as undecided,
            list_sort(coalesce(l.balances, [])) as balances
        )
    from listed l
)
select o.district_code, o.phase_id, coalesce(o.dataset, '') as dataset, o.school_code, s.school_name, o.stage,
    o.column_name, o.item, o.undecided, o.balances as undecided_balances, o.schools,
    concat_ws(' ', coalesce(s.school_name, if(o.school_code is null, '全区', o.school_code)), nullif(stage_word(coalesce(o.stage, '')), ''),
        case
            when o.why is not null then coalesce('“' || t.title || '”', '有退回的行')
            when not o.is_delivered then '“' || t.title || '”没有报送'
            when o.column_name is null and o.item is null then '“' || t.title || '”整行没有报送'
            else '“' || t.title || '”的' || concat_ws('', nullif(coalesce(o.item, ''), '') || ' ', c.title) || ' 没有填写'
        end)
        || '：' || concat_ws('；',
            nullif(array_to_string(o.undecided, '、'), '') || if(o.schools > 1, '（' || o.schools || ' 所学校）', '') || ' 无法判定',
            balances_open(list_filter(o.balances, lambda x: starts_with(x, 'primary ')), '小学'),
            balances_open(list_filter(o.balances, lambda x: starts_with(x, 'junior ')), '初中'),
            o.why) as message,
    coalesce(o.delivery, f.delivery) as delivery, coalesce(o.file, f.file) as file, o.sheet, o."row"
from ordered o
left join core.school s
    on s.district_code = o.district_code and s.phase_id = o.phase_id and s.school_code = o.school_code
left join raw.dataset t on t.dataset = o.dataset
left join raw.dataset_column c on c.dataset = o.dataset and c.column_name = o.column_name
left join core.chosen_file f
    on f.district_code = o.district_code and f.phase_id = o.phase_id and f.dataset = o.dataset and f.kind = 'snapshot'
