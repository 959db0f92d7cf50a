//! Who may do what with a chart: Cedar policies evaluated purely.
