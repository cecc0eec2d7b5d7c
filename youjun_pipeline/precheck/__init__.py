"""The check before sending: finds everything that is wrong with a district's files before anybody else sees them."""
