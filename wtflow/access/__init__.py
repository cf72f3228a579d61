"""Who may use an app that others reach: passwords, sessions, wrong tries, and the people of a sign-in service."""
