"""Take a run home: a folder, one zip, the tables behind the figures, a report as one HTML file."""
