-- PostgreSQL runs it once, on an empty data folder: the lake's catalogue has a database of its own beside Dagster's.
create database lake;
