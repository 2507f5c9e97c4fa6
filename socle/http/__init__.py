"""HTTP as every service speaks it: application factory, middleware, renderers, health."""
