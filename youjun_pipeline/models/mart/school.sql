select
    district_code, phase_id, school_code, school_name, township, school_type, sponsor_code, urban_rural, built_year,
    campus, campus_of,
    boarding as is_boarding, dense_urban as is_dense_urban, primary_students, junior_students, senior_students, preschool_students,
    compulsory_students, migrant_students, in_scope, out_of_scope_reason
from core.school
