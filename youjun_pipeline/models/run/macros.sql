-- Judgement and display, shared by the models; words for coded values are macros too (`vocabulary`).
create or replace temp macro judged(amount, required, floor_share) as
    case
        when amount is null or required is null then 'no_data'
        when amount >= required then 'met'
        when amount >= required * floor_share then 'near'
        else 'below'
    end;
create or replace temp macro with_waiver(strict, waived) as
    -- a waiver cannot turn "not judged" into "met"
    case when strict not in ('met', 'not_applicable') and waived = 'met' then 'met_by_waiver' else waived end;
create or replace temp macro is_met(status) as status in ('met', 'met_by_waiver');
-- nothing prevents a pass: it passed, or there is nothing to judge
create or replace temp macro is_settled(status) as status in ('met', 'met_by_waiver', 'not_applicable');
-- a verdict of yes, no or unknown as a status
create or replace temp macro passed(verdict) as
    case when verdict then 'met' when not verdict then 'below' else 'no_data' end;
create or replace temp macro is_failing(status) as status in ('near', 'below');
-- whether it fails; null if nobody can say
create or replace temp macro known_to_fail(status) as if(status = 'no_data', null, is_failing(status));
-- figures in sentences: at most this many decimals, no trailing zeros
create or replace temp macro shown2(x) as
    regexp_replace(round(x::decimal(28, 10), 2)::varchar, '\.?0+$', '');
create or replace temp macro shown3(x) as printf('%.3f', round(x::decimal(28, 10), 3));
create or replace temp macro percent1(x) as
    regexp_replace(round((x * 100)::decimal(28, 10), 1)::varchar, '\.?0+$', '') || '%';
-- a school's name for comparison: no blanks, 街 for 街道, without 中心; brackets in half width
create or replace temp macro plain_name(name) as
    replace(replace(regexp_replace(
        translate(nfc_normalize(name), '（）　', '() '), '\s', '', 'g'), '街道', '街'), '中心', '');
-- an indicator in a plan's spelling, for comparison: its leading code if it has one, otherwise its words in capitals
create or replace temp macro indicator_form(name) as
    coalesce(
        nullif(regexp_extract(upper(trim(name)), '^([A-Z][0-9]+)([^0-9A-Z].*)?$', 1), ''),
        upper(regexp_replace(translate(name, '（）　', '() '), '\s', '', 'g'))
    );
-- the names in a cell that may have several; blanks inside a name are removed
create or replace temp macro names_in(cell) as
    [x for x in [regexp_replace(y, '\s', '', 'g') for y in regexp_split_to_array(cell, '[、，,；;/\n]')] if x <> ''];
-- a period for comparison: 2020年, 2020年度 and 2020 are the same
create or replace temp macro period_form(period) as rtrim(upper(trim(period)), '年度');
-- a figure with all its decimals and no trailing zeros
create or replace temp macro exact(x) as regexp_replace(x::decimal(38, 6)::varchar, '\.?0+$', '');
-- the difference of two figures that were computed in different ways; binary noise counts as no difference
create or replace temp macro moved_by(before, after) as
    if(abs(after - before) <= 1e-9 * greatest(abs(before), abs(after)), 0, after - before);
-- names in a sentence: at most ten, then the number of all
create or replace temp macro ten_of(names) as
    array_to_string(names[1:10], '、') || if(len(names) > 10, '等 ' || len(names) || ' 个', '');
-- the school year of a day, by the year in which the school year begins
create or replace temp macro school_year(day) as year(day) - if(month(day) < 8, 1, 0);
-- the probability that a figure with a normal error exceeds a limit; `over` is how far it is above the limit now. The logistic
-- curve replaces the normal one, with an error below a hundredth.
create or replace temp macro likely(over, deviation) as
    if(deviation > 0, 1 / (1 + exp(greatest(least(-1.702 * over / deviation, 500), -500))), null);
-- why a file is no delivery, what is used instead, and what the file would have meant
create or replace temp macro no_delivery(reason, rows_seen, kind, title, empty_means, older) as
    if(reason = 'header_only', '只有表头，没有数据行', '有 ' || rows_seen || ' 行，都只有编号一类的栏目，没有填写内容')
        || '，不算一次报送' || case
            when kind = 'events' then ''
            when older is not null then '，仍采用 ' || older || ' 的“' || title || '”'
            else '，“' || title || '”至今没有报送'
        end
        || coalesce('。如当作报送，' || nullif(empty_means, ''), '')
        || if(kind = 'snapshot', '。请填写后重新报送；确实没有的，请在 district.toml 中以 [[none]] 写明', '');
-- indicator codes in their order: G9 before G12
create or replace temp macro code_order(code) as left(code, 1) || lpad(substr(code, 2), 3, '0');
create or replace temp macro code_of(ordered) as left(ordered, 1) || ltrim(substr(ordered, 2), '0');
-- the coefficients of one stage that are open, named `stage code`
create or replace temp macro balances_open(balances, stage_name) as
    if(len(balances) = 0, null, stage_name || ' '
        || array_to_string(list_transform(balances, lambda x: split_part(x, ' ', 2)), '、')
        || if(len(balances) > 1, ' 共 ' || len(balances) || ' 项', '') || '差异系数无法判定');
-- the forms of one person's name in a cell, for comparison, without brackets, unit and title: 财计科：李 明（科长） is 李明. A
-- blank may be inside a name, before a unit or between two people, so several forms are kept.
create or replace temp macro unbracketed(cell) as coalesce(nullif(trim(
    regexp_replace(regexp_replace(cell, '[（(【\[〔［{｛<〈《][^（(【\[〔［{｛<〈《]*?[）)】\]〕］}｝>〉》]', ' ', 'g'),
        '[（(【\[〔［{｛<〈《].*$', '')), ''), regexp_replace(cell, '[（(【\[〔［{｛<〈《）)】\]〕］}｝>〉》]', '', 'g'));
create or replace temp macro untitled(word) as
    coalesce(nullif(regexp_extract(word,
        '^(.{2,}?)(?:[副总正]?(?:局长|科长|处长|主任|股长|组长|部长|所长|站长|院长|校长|园长|书记|督学|校监|干事|科员)|同志|老师|先生|女士)$',
        1), ''), word);
create or replace temp macro is_unit_or_title(word) as regexp_full_match(word,
    '.*(?:科|室|局|处|股|办|中心|组|部|学校|小学|中学|幼儿园|队|所|站|院|委|厅|镇|乡|街|街道|区|县|市|公司)'
    || '|[副总正]?(?:局长|科长|处长|主任|股长|组长|部长|所长|站长|院长|校长|园长|书记|督学|校监|干事|科员)|同志|老师|先生|女士');
create or replace temp macro words_of_person(words) as
    if(len(list_filter(words, lambda w: not is_unit_or_title(w))) > 0,
        list_transform(list_filter(words, lambda w: not is_unit_or_title(w)), lambda w: untitled(w)), words);
-- parts of a name with blanks, the whole of it, and the name after a unit that is written without a blank
create or replace temp macro forms_of_person(words) as list_concat(
    [array_to_string(words, '')],
    if(regexp_matches(array_to_string(words, ''), '[A-Za-z]') or list_bool_or([len(w) = 1 for w in words]), [], words),
    [regexp_extract(w, '^.{2,}(?:科|室|局|处|股|办|中心|组|部|学校|小学|中学)(.{2,4})$', 1) for w in words]);
create or replace temp macro persons_in(cell) as list_filter(flatten(list_transform(
    regexp_split_to_array(lower(unbracketed(cell)), '[、，,；;/|\n]'),
    lambda one: forms_of_person(words_of_person(
        list_filter(regexp_split_to_array(one, '[\s　:：_—–-]+'), lambda w: w <> '')
    ))
)), lambda person: person <> '');
