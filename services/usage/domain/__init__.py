"""Rules of the programmes, pure: values in, values out."""
