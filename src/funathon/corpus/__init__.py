"""The texts everything learns from and is measured on: nomenclature, labels, and how they are split."""
