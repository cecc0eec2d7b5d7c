"""The blank workbooks that districts fill in, one for each dataset."""
