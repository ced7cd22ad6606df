"""How programs that readers copy show the classes of a picture, see `Words`."""

LITERT = """\
scores = model.get_tensor(model.get_output_details()[0]["index"])[0]
labels = open("labels.txt", encoding="utf-8").read().split("\\n")
best = scores.argmax()
print(labels[best], {score})
"""
MEDIAPIPE = """\
options = vision.ImageClassifierOptions(base_options=model, max_results=3)
with vision.ImageClassifier.create_from_options(options) as classifier:
    found = classifier.classify(image)
for one in found.classifications[0].categories:
    print(one.category_name, one.score)
"""
