"""Where the noise of a private training goes in, at equal budgets."""
