"""Many generated districts, each planned for and the plan judged by the models (`make propose-all`)."""
