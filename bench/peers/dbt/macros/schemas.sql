-- A model's schema is the one it names, so that core.school is the table core.school, as the models call it.
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}
