package mobilenet.tf.demo

import android.app.Activity
import android.os.Bundle
import android.view.View
import android.widget.AdapterView
import android.widget.ArrayAdapter
import android.widget.SeekBar
import android.widget.Spinner
import android.widget.TextView
import mobilenet.tf.engine.Accelerator

/** Settings screen. Changes take effect when the user returns to the main screen. */
class SettingsActivity : Activity() {
    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        setContentView(R.layout.settings)
        val settings = Settings(this)
        slider(R.id.threads, R.id.threads_label, R.string.threads, 1..Settings.MAX_THREADS, settings.threads) {
            settings.threads = it
        }
        slider(R.id.threshold, R.id.threshold_label, R.string.threshold, 0..95, settings.threshold) {
            settings.threshold = it
        }
        slider(R.id.results, R.id.results_label, R.string.results, 1..Settings.MAX_RESULTS, settings.results) {
            settings.results = it
        }
        accelerators(settings)
    }

    private fun slider(id: Int, labelId: Int, title: Int, range: IntRange, value: Int, set: (Int) -> Unit) {
        val label = findViewById<TextView>(labelId)
        fun show(current: Int) {
            label.text = "${getString(title)}: $current"
        }
        show(value)
        findViewById<SeekBar>(id).apply {
            // SeekBar.min requires API 26.
            max = range.last - range.first
            progress = value - range.first
            setOnSeekBarChangeListener(
                object : SeekBar.OnSeekBarChangeListener {
                    override fun onProgressChanged(bar: SeekBar, progress: Int, byUser: Boolean) {
                        show(range.first + progress)
                        if (byUser) set(range.first + progress)
                    }

                    override fun onStartTrackingTouch(bar: SeekBar) = Unit

                    override fun onStopTrackingTouch(bar: SeekBar) = Unit
                },
            )
        }
    }

    private fun accelerators(settings: Settings) = findViewById<Spinner>(R.id.accelerator).run {
        val names = Accelerator.values().map { it.name }
        adapter = ArrayAdapter(context, android.R.layout.simple_spinner_dropdown_item, names)
        setSelection(settings.accelerator.ordinal)
        onItemSelectedListener = object : AdapterView.OnItemSelectedListener {
            override fun onItemSelected(parent: AdapterView<*>?, view: View?, position: Int, id: Long) {
                settings.accelerator = Accelerator.values()[position]
            }

            override fun onNothingSelected(parent: AdapterView<*>?) = Unit
        }
    }
}
