"""Many generated districts: a plan for each, judged by the models (`make propose-all`)."""
