// Generations
