//! The starter terminology: complaints, diagnoses and essential medicines with their codes.
