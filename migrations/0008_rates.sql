-- Each table is called what the program calls it.
ALTER TABLE measure RENAME TO saved_rate;
ALTER TABLE speed RENAME TO rate_override;
ALTER TABLE warm_up RENAME TO warmup_day;
