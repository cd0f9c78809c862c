"""Whether what the analysis says depends on what the models have learned."""
