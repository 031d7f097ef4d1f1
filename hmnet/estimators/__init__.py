"""What cheap estimators of relevance ask of an encoder, answered with torch."""
