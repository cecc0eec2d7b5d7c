select d.district_name, p.phase_name, p.phase_order, p.is_latest, v."结论" as verdict, v."纳入评估的学校数" as schools,
    v."未达标学校数" as schools_failing, v."缺数据的指标项数" as indicators_no_data
from zh."全县判定" v
join bi.dim_phase p on p.evaluation_id = v."评估键"
join bi.dim_district d on d.district_code = v."区划代码"
order by d.district_name, p.phase_order
